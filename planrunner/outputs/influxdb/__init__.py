"""The output `influxdb`: a run as points in InfluxDB, 1.x and 2.x."""
