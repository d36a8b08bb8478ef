"""The command line of boundkit: arguments in, one library call, a report out."""
