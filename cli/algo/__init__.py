"""The command line of algomaster: parse, call one library function, print."""
