"""What every chat platform needs and none of them knows: texts, commands, following and delivering answers."""
