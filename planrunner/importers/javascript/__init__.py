"""JavaScript and TypeScript of other tools, read and never run.

`script.parse` makes a tree with places; `chains` says what a call calls; `constants` folds what is
the same in every run.
"""
