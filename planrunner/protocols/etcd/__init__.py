"""etcd v3: what a plan may write, and how it is sent."""
