"""What goes through a device: whose run is next, and what was counted."""
