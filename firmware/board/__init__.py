"""What a pad is made of: pins, flash, network. Decides nothing about calls and votes; that is firmware/core."""
