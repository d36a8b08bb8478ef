"""The parts of an analysis that take more than one call, a file each."""
