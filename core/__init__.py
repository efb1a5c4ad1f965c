"""What every process shares: settings, values, errors, store, pictures, queue. No web, no bot, no torch at import."""
