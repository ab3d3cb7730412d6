"""What services and messages there are: from .proto files, descriptor sets or a server itself."""
