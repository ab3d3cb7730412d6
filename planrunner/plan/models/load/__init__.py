"""What a plan may say about load: phases, stages, searches."""
