"""Pictures of any size through a network: tiles, memory, restoration."""
