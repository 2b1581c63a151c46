"""What generated samples show: copies, classes, novelty."""
