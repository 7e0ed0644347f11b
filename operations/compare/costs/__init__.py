"""What each compute option costs, by the number of photos a day."""
