"""What is made from the documentation: the site, the texts for language models, the pictures."""
