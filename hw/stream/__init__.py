"""What streams are made of: queues, pipelines, buffers, shared modules."""
