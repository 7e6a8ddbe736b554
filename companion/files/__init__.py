"""The ground floor: what a process reads, how files are written and kept, and where built ones lie."""
