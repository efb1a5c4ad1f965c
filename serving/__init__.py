"""What our web servers share: response headers, who sent a request, wrong tries, server-sent events, error statuses."""
