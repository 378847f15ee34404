using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>Accepts client connections on spark_connect.port, and lets them go again: in two steps, so that no query is lost.</summary>
internal sealed partial class RelayServer : BackgroundService
{
    /// <summary>What has been said last may take so long to be read: a client's last GOAWAY, what a driver gets of clients that have gone.</summary>
    public const int FlushSeconds = 2;

    private readonly SparkConnectListener listener;
    private readonly RelayHostServices services;
    private readonly RelayShared shared;
    private readonly ServerCertificate? certificate;
    private readonly GatewayOptions options;
    private readonly ConcurrentDictionary<ConnectionHost, bool> connections = new();
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool isStopping;
    private int open;

    public RelayServer(SparkConnectListener listener, RelayHostServices services, RelayShared shared, ServerCertificate? certificate, GatewayOptions options)
    {
        this.listener = listener;
        this.services = services;
        this.shared = shared;
        this.certificate = certificate;
        this.options = options;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        isStopping = true;
        listener.Socket.Dispose();
        foreach (var host in connections.Keys) host.BeginShutdown();
        if (!connections.IsEmpty)
        {
            Draining(services.Logger, connections.Count, options.SparkConnect.DrainSeconds);
            await WaitDrained(TimeSpan.FromSeconds(options.SparkConnect.DrainSeconds), cancellationToken);
            foreach (var host in connections.Keys) host.FinishShutdown();
            await WaitDrained(TimeSpan.FromSeconds(FlushSeconds), cancellationToken);
            foreach (var host in connections.Keys) host.Abort();
        }

        await base.StopAsync(cancellationToken);
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.WhenAll(AcceptAsync(stoppingToken), TickAsync(stoppingToken));

    private async Task AcceptAsync(CancellationToken stopping)
    {
        while (!isStopping)
        {
            Socket socket;
            try
            {
                socket = await listener.Socket.AcceptAsync(stopping);
            }
            catch (Exception e) when (e is ObjectDisposedException or OperationCanceledException || isStopping)
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of file descriptors, or a client that left between: the listener itself is well.
                AcceptFailed(services.Logger, e.SocketErrorCode);
                await Task.Delay(TimeSpan.FromMilliseconds(50), services.Time, stopping);
                continue;
            }

            if (Interlocked.Increment(ref open) > options.Relay.MaxConnections)
            {
                Interlocked.Decrement(ref open);
                TooMany(services.Logger, options.Relay.MaxConnections);
                socket.Dispose();
                continue;
            }

            _ = ServeAsync(socket);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        var peer = "";
        Link? link = null;
        try
        {
            peer = socket.RemoteEndPoint?.ToString() ?? "";
            services.Tune(socket);
            link = certificate is null ? new SocketLink(socket) : await SecureAsync(socket, certificate);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            HandshakeFailed(services.Logger, peer, e.Message);
        }

        if (link is null)
        {
            socket.Dispose();
            Interlocked.Decrement(ref open);
            return;
        }

        var host = new ConnectionHost(services, shared, link, peer, Ended);
        connections.TryAdd(host, true);
        host.Start();
        if (isStopping) host.BeginShutdown();
    }

    private async Task<Link> SecureAsync(Socket socket, ServerCertificate certificate)
    {
        // NetworkStream wants a socket that may block; only its asynchronous calls are used, and they never do.
        socket.Blocking = true;
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(options.Relay.SlowPeerSeconds), services.Time);
            await stream.AuthenticateAsServerAsync(certificate.Options(), limit.Token);
            if (stream.NegotiatedApplicationProtocol != SslApplicationProtocol.Http2) throw new IOException("the client did not offer h2 (ALPN)");
            return new TlsLink(stream);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    private async Task TickAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), services.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                var now = services.NowMs();
                foreach (var (host, _) in connections)
                {
                    if (host.NextDeadline <= now) host.Tick();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway stops.
        }
    }

    private void Ended(ConnectionHost host)
    {
        if (!connections.TryRemove(host, out _)) return;
        Interlocked.Decrement(ref open);
        if (isStopping && connections.IsEmpty) drained.TrySetResult();
    }

    private async Task WaitDrained(TimeSpan limit, CancellationToken cancellation)
    {
        if (connections.IsEmpty) return;
        try
        {
            await drained.Task.WaitAsync(limit, services.Time, cancellation);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // What is still open is ended in the next step.
        }
    }

    [LoggerMessage(2010, LogLevel.Information, "Draining {Connections} client connections for up to {Seconds} s")]
    private static partial void Draining(ILogger logger, int connections, int seconds);

    [LoggerMessage(2011, LogLevel.Warning, "Cannot accept a connection: {Error}")]
    private static partial void AcceptFailed(ILogger logger, SocketError error);

    [LoggerMessage(2012, LogLevel.Warning, "More than {Limit} client connections: the newest is closed (relay.max_connections)")]
    private static partial void TooMany(ILogger logger, int limit);

    [LoggerMessage(2013, LogLevel.Information, "TLS handshake with {Peer} failed: {Reason}")]
    private static partial void HandshakeFailed(ILogger logger, string peer, string reason);
}
