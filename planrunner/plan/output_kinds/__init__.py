"""The kinds of outputs that plans may name: the record of one, and where they are found."""
