"""What the exporter to JMeter is made of: elements, texts, requests, and the load."""
