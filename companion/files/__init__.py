"""The ground floor: what a process reads, results that are kept, and where built files lie."""
