using System.Collections.Concurrent;
using SparkGateway.Domain;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Routing;

/// <summary>Two dictionaries: reads take no lock. A binding never outlives its route: whoever of Bind and Close comes second takes it away.</summary>
internal sealed class RouteTable : IRouteTable
{
    private readonly ConcurrentDictionary<Guid, Route> routes = new();
    private readonly ConcurrentDictionary<ClientSessionKey, LiveBinding> bindings = new(KeyComparer.Instance);
    private readonly ConcurrentDictionary<ClientSessionKey, LiveBinding>.AlternateLookup<KeyUtf8> byUtf8;

    public RouteTable() => byUtf8 = bindings.GetAlternateLookup<KeyUtf8>();

    public IReadOnlyCollection<Route> Routes => [.. routes.Values];

    public LiveBinding? Find(ReadOnlySpan<byte> userId, ReadOnlySpan<byte> clientSessionId) =>
        byUtf8.TryGetValue(new KeyUtf8(userId, clientSessionId), out var binding) ? binding : null;

    public LiveBinding? Find(ClientSessionKey key) => bindings.GetValueOrDefault(key);

    public Route? FindRoute(Guid sessionId) => routes.GetValueOrDefault(sessionId);

    public Route Publish(Route route) => routes.GetOrAdd(route.Session.Id, route);

    public LiveBinding Bind(ClientSessionKey key, Route route, BoundVia via)
    {
        while (true)
        {
            var binding = bindings.GetOrAdd(key, static (key, made) => new LiveBinding(key, made.route, made.via), (route, via));
            if (binding.Route.ClosedBy is null) return binding;

            Forget(binding);
            if (ReferenceEquals(binding.Route, route)) return binding;
        }
    }

    public void Close(Guid sessionId, GatewayError reason)
    {
        if (!routes.TryRemove(sessionId, out var route)) return;
        try
        {
            route.Close(reason);
        }
        finally
        {
            foreach (var (_, binding) in bindings)
                if (ReferenceEquals(binding.Route, route)) Forget(binding);
        }
    }

    private void Forget(LiveBinding binding) => bindings.TryRemove(new KeyValuePair<ClientSessionKey, LiveBinding>(binding.Key, binding));
}
