"""Software updates on an opened launch: releases and their signing, rollouts and their worker, functions."""
