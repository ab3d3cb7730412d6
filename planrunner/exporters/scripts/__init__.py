"""What writers of scripts share: expressions, requests and steps in the words of a language."""
