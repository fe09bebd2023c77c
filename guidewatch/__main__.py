"""`python -m guidewatch` is `guidewatch`."""

from guidewatch.cli import main

main()
