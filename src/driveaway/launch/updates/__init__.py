"""Software updates on an opened launch: releases and their signing, rollouts and their worker, functions."""
"""The release manager's work on an opened launch: software, releases, their signing and publication."""
