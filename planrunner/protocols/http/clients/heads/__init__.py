"""What heads of replies say."""
