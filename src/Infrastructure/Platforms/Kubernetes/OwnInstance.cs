using SparkGateway.Domain;
using SparkGateway.Features.Ports;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes;

/// <summary>This gateway's id as labels bear it: read from the store once.</summary>
internal sealed class OwnInstance(IGatewayInstance store)
{
    private string? id;

    /// <summary>Null until it was read.</summary>
    public string? Known => Volatile.Read(ref id);

    public async Task<Result<string>> ReadAsync(CancellationToken cancellation)
    {
        if (Known is { } known) return known;
        var read = await store.ReadAsync(cancellation);
        if (!read.TryGet(out var instance, out var error)) return error;
        var text = instance.Id.ToString();
        Volatile.Write(ref id, text);
        return text;
    }
}
