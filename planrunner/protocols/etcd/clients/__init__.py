"""Clients that send what etcd steps compile to."""
