"""Files of rows, written in the formats that data sources read."""
