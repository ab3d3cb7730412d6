"""What is known while a script is read: values, scopes, modules, and what is written."""
