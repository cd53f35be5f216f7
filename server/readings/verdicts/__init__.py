"""After the first read is committed: the places where it differs from the algorithm's result, and what is decided at
each of them. The first read stays as it is; what is taken over goes into the reader's working copy as one step."""
