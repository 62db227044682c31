"""What a laptop needs in place of the services of production."""
