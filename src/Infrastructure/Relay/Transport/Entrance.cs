using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>A client that was let in.</summary>
/// <param name="Counted">The address that its connection counts for, until it ends.</param>
internal sealed record Entry(Link Link, ClientPeer Peer, IPAddress? Counted);

/// <summary>
/// What comes before HTTP/2 on a new connection: the word of a trusted proxy, the cap of the client's address, TLS. The
/// connection counts as open meanwhile, and each step has slow_peer_seconds.
/// </summary>
internal sealed class Entrance(GatewayOptions options, RelayHostServices services, ServerCertificate? certificate)
{
    private readonly AddressRanges proxies = new(options.SparkConnect.TrustedProxies);
    private readonly AddressCounts counts = new(options.Relay.MaxConnectionsPerAddress);

    /// <summary>Behind a balancer that does not name its clients all of them have one address, so there is no cap without proxies.</summary>
    private bool HasCap => options.Relay.MaxConnectionsPerAddress > 0 && !proxies.IsEmpty;

    /// <summary>Null: it was refused, which has been logged, or left. The socket is the caller's in any case.</summary>
    public async Task<Entry?> EnterAsync(Socket socket)
    {
        IPAddress? counted = null;
        var entered = false;
        var peer = ClientPeer.Of(socket);
        try
        {
            services.Tune(socket);
            if (proxies.Contains(peer.Socket.Address))
            {
                if (await ReadHeaderAsync(socket, peer) is not { } header) return null;
                if (header.Client is not null) peer = peer.For(header.Client);
                if (!TryCount(header.Client, peer, out counted)) return null;
            }
            else if (!TryCount(peer.Client, peer, out counted))
            {
                return null;
            }

            var link = certificate is null ? new SocketLink(socket) : await SecureAsync(socket, certificate, peer);
            entered = link is not null;
            return entered ? new Entry(link!, peer, counted) : null;
        }
        catch (SocketException)
        {
            // The client left before it said anything.
            return null;
        }
        finally
        {
            if (!entered) Leave(counted);
        }
    }

    /// <summary>The connection has ended.</summary>
    public void Leave(IPAddress? counted)
    {
        if (counted is not null) counts.Remove(counted);
    }

    /// <summary>A proxy's own connections are its health checks: they count for nobody.</summary>
    private bool TryCount(IPEndPoint? client, ClientPeer peer, out IPAddress? counted)
    {
        counted = null;
        if (!HasCap || client is null) return true;
        if (!counts.TryAdd(peer.Client.Address))
        {
            services.Limits.Hit(CallSide.Client, "more connections than relay.max_connections_per_address", peer.ToString());
            return false;
        }

        counted = peer.Client.Address;
        return true;
    }

    private async Task<ProxyHeader?> ReadHeaderAsync(Socket socket, ClientPeer peer)
    {
        try
        {
            using var limit = SlowPeerLimit();
            var header = await ProxyHeader.ReceiveAsync(socket, limit.Token);
            if (header?.Refusal is not { } refusal) return header;
            services.Limits.Hit(CallSide.Client, refusal, peer.ToString());
        }
        catch (OperationCanceledException)
        {
            services.Limits.Hit(CallSide.Client, "no PROXY protocol header within relay.slow_peer_seconds", peer.ToString());
        }

        return null;
    }

    private async Task<Link?> SecureAsync(Socket socket, ServerCertificate certificate, ClientPeer peer)
    {
        // NetworkStream wants a socket that may block; only its asynchronous calls are used, and they never do.
        socket.Blocking = true;
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            using var limit = SlowPeerLimit();
            await stream.AuthenticateAsServerAsync(certificate.Options(), limit.Token);
            if (stream.NegotiatedApplicationProtocol == SslApplicationProtocol.Http2)
            {
                // Not before: a handshake computes for a millisecond.
                InlineCompletions.Prefer(socket);
                return new TlsLink(stream);
            }

            services.Limits.Hit(CallSide.Client, "TLS without HTTP/2 (ALPN h2)", peer.ToString());
        }
        catch (OperationCanceledException)
        {
            services.Limits.Hit(CallSide.Client, "no TLS handshake within relay.slow_peer_seconds", peer.ToString());
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            services.Limits.Hit(CallSide.Client, "TLS handshake failed", $"{peer}: {e.Message}");
        }

        await stream.DisposeAsync();
        return null;
    }

    private CancellationTokenSource SlowPeerLimit() => new(TimeSpan.FromSeconds(options.Relay.SlowPeerSeconds), services.Time);
}
