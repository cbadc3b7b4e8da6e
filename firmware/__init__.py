"""The pad: what runs on a desk, and the tool that builds it. It knows no ticket, no client and no operator."""

VERSION = "0.1.0"
