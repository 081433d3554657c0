"""What a process needs: settings, clock, logs, embedded servers, supervisor."""
