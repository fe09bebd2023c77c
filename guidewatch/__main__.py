"""`python -m guidewatch` is `guidewatch`."""

from guidewatch.cli import main

if __name__ == "__main__":
    main()
