"""When things happen: timelines, arrivals, iteration budgets and lateness."""
