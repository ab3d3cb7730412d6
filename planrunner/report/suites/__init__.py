"""Reports of a suite: the table on the console, junit.xml and index.html."""
