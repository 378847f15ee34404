using System.Collections.Concurrent;

namespace SparkGateway.Infrastructure.Platforms.SparkUi;

/// <summary>Where the UIs of local drivers listen.</summary>
internal sealed class UiPorts
{
    private readonly ConcurrentDictionary<Guid, int> ports = new();

    public int? Find(Guid session) => ports.TryGetValue(session, out var port) ? port : null;

    public void Set(Guid session, int port) => ports[session] = port;

    public void Remove(Guid session) => ports.TryRemove(session, out _);
}
