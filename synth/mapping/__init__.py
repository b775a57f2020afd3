"""Components mapped to the cells of a library: the flow, and netlists put together."""
