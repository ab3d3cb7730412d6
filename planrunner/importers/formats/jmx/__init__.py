"""JMeter test plans: JMX of 5.x and before, with the plug-ins that people use most."""
