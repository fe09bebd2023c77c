"""One module per group of commands; heavy libraries are imported inside the commands, so that ``--help`` is quick."""
