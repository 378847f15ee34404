using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using SparkGateway.Infrastructure.Hosting;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Relay.Calls;
using SparkGateway.Infrastructure.Telemetry;

namespace SparkGateway.Infrastructure.Relay.Transport;

/// <summary>Accepts client connections on spark_connect.port, and lets them go again: in two steps, so that no query is lost.</summary>
internal sealed partial class RelayServer : BackgroundService, IHostedLifecycleService
{
    /// <summary>After the last GOAWAY, for a client that reads slowly.</summary>
    private const int FlushSeconds = 2;

    private readonly SparkConnectListener listener;
    private readonly RelayHostServices services;
    private readonly RelayShared shared;
    private readonly Entrance entrance;
    private readonly AddressRanges identityPeers;
    private readonly GatewayOptions options;
    private readonly ConcurrentDictionary<ConnectionHost, IPAddress?> connections = new();
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock traffic = new();
    private (long Up, long Down) endedBytes;
    private volatile bool isStopping;
    private int open;

    public RelayServer(SparkConnectListener listener, RelayHostServices services, RelayShared shared, ServerCertificate? certificate, GatewayOptions options)
    {
        this.listener = listener;
        this.services = services;
        this.shared = shared;
        entrance = new Entrance(options, services, certificate);
        identityPeers = new AddressRanges(options.Identity.TrustedPeers);
        this.options = options;
    }

    /// <summary>
    /// Before any service stops, so that /readyz and /metrics answer to the end of it; /readyz says that the gateway stops from
    /// the first moment on, and a balancer may have its time to see that before connections are refused.
    /// </summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        await NoticeAsync(cancellationToken);
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
    }

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

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
                services.Limits.Hit(CallSide.Client, "cannot accept a connection", e.SocketErrorCode.ToString());
                await Task.Delay(TimeSpan.FromMilliseconds(50), services.Time, stopping);
                continue;
            }

            if (Interlocked.Increment(ref open) > options.Relay.MaxConnections)
            {
                Interlocked.Decrement(ref open);
                services.Limits.Hit(CallSide.Client, "more connections than relay.max_connections", ClientPeer.Of(socket).ToString());
                socket.Dispose();
                continue;
            }

            _ = ServeAsync(socket);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        Entry? entry = null;
        try
        {
            entry = await entrance.EnterAsync(socket);
        }
        finally
        {
            if (entry is null)
            {
                socket.Dispose();
                Interlocked.Decrement(ref open);
            }
        }

        if (entry is null) return;
        var host = new ConnectionHost(services, shared, entry.Link, entry.Peer, identityPeers.Contains(entry.Peer.Socket.Address), Ended);
        connections.TryAdd(host, entry.Counted);
        host.Start();
        if (isStopping) host.BeginShutdown();
    }

    private async Task TickAsync(CancellationToken stopping)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), services.Time);
        var collector = new RestCollector(options.Relay.CollectAfterSeconds);
        try
        {
            while (await timer.WaitForNextTickAsync(stopping))
            {
                var now = services.NowMs();
                services.Limits.Tick();
                var activity = 0ul;
                foreach (var (host, _) in connections)
                {
                    activity += host.Batches;
                    if (host.NextDeadline <= now) host.Tick();
                }

                collector.Tick(activity);
            }
        }
        catch (OperationCanceledException)
        {
            // The gateway stops.
        }
    }

    public bool IsListening => !isStopping;

    /// <summary>Since the start. A connection's bytes move to the ended ones in one step, so that no sum ever goes back.</summary>
    public RelayTraffic ReadTraffic()
    {
        lock (traffic)
        {
            var (up, down) = endedBytes;
            foreach (var (host, _) in connections) (up, down) = (up + host.UpBytes, down + host.DownBytes);
            return new(Volatile.Read(ref open), up, down);
        }
    }

    private void Ended(ConnectionHost host)
    {
        IPAddress? counted;
        lock (traffic)
        {
            if (!connections.TryRemove(host, out counted)) return;
            endedBytes = (endedBytes.Up + host.UpBytes, endedBytes.Down + host.DownBytes);
        }

        entrance.Leave(counted);
        Interlocked.Decrement(ref open);
        if (isStopping && connections.IsEmpty) drained.TrySetResult();
    }

    private async Task NoticeAsync(CancellationToken cancellation)
    {
        if (options.SparkConnect.DrainNoticeSeconds == 0) return;
        try
        {
            await Task.Delay(TimeSpan.FromSeconds(options.SparkConnect.DrainNoticeSeconds), services.Time, cancellation);
        }
        catch (OperationCanceledException)
        {
            // The host's time is over.
        }
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
}
