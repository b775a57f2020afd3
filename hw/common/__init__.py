"""Small pieces that many components are made of."""
