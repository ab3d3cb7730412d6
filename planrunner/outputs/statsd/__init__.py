"""The output `statsd`: a run as counters and gauges of StatsD, with DogStatsD's tags or without."""
