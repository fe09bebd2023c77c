"""The command line and the settings; composes the parts."""
