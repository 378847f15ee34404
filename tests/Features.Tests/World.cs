using MediatR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using SparkGateway.Domain;
using SparkGateway.Domain.Routing;
using SparkGateway.Domain.Sessions;
using SparkGateway.Features.Ports;
using SparkGateway.Features.RelayStream;
using SparkGateway.Infrastructure.Routing;
using SparkGateway.Testing.Fakes;
using Relay = SparkGateway.Features.RelayStream.RelayStream;
using Sync = SparkGateway.Features.SyncAttached.SyncAttached;

namespace SparkGateway.Features.Tests;

/// <summary>One gateway process over fakes: all slices, the real route table, and a store that a second one can share.</summary>
internal sealed class World : IAsyncDisposable
{
    private readonly ServiceProvider provider;
    private readonly CancellationTokenSource deadline = new(TimeSpan.FromSeconds(30));

    public World(Func<FeatureOptions, FeatureOptions>? change = null, World? replica = null)
    {
        Time = replica?.Time ?? new WatchedTime();
        Store = replica?.Store ?? new InMemorySessionStore(Time);
        Board = replica?.Board ?? new FakeReplicaBoard();
        var options = new FeatureOptions
        {
            Self = new Replica(Guid.NewGuid(), "host", IsOnly: false),
            Policy = new RoutingPolicy
            {
                Headers = new RoutingHeaderNames("x-spark-session-id", "x-spark-namespace", "x-spark-team", "x-spark-environment"),
                Default = new TeamRef("data", "dev"),
                AnyTeam = true,
                ShareConnection = true,
            },
        };
        Options = change?.Invoke(options) ?? options;
        provider = new ServiceCollection()
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<ISessionStore>(Store)
            .AddSingleton<ISessionCatalog>(Store)
            .AddSingleton<IOperatorStore>(Store)
            .AddSingleton<IDriverLogs>(DriverLogs)
            .AddSingleton<IReplicaBoard>(Board)
            .AddSingleton<IDriverActivity>(Drivers)
            .AddSingleton<IDriverPlatform>(Platform)
            .AddSingleton<IDriverTokens, FakeDriverTokens>()
            .AddSingleton(Options)
            .AddLogging(logging => logging.AddProvider(Logs))
            .AddSingleton<IDriverInventory>(Inventory)
            .AddSingleton<IAttachedStore>(Store)
            .AddSingleton<IGatewayInstance>(Instance)
            .AddSingleton<ISessionHistory>(History)
            .AddRouteTable()
            .AddFeatures()
            .AddClusterSlices()
            .BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true, ValidateScopes = true });
    }

    public WatchedTime Time { get; }

    public InMemorySessionStore Store { get; }

    public FakeReplicaBoard Board { get; }

    public FakeDriverActivity Drivers { get; } = new();

    public FakeDriverPlatform Platform { get; } = new();

    public FakeDriverLogs DriverLogs { get; } = new();

    public FakeDriverInventory Inventory { get; } = new();

    public FakeGatewayInstance Instance { get; } = new();

    public FakeSessionHistory History { get; } = new();

    public CollectedLogs Logs { get; } = new();

    public FeatureOptions Options { get; }

    public IRouteTable Table => Get<IRouteTable>();

    public ISessionStarter Starter => Get<ISessionStarter>();

    /// <summary>No wait of a test is longer.</summary>
    public CancellationToken Deadline => deadline.Token;

    /// <summary>Set by a test that provokes an error log.</summary>
    public bool ExpectsErrors { get; set; }

    public static ClientSessionKey NewKey(string user = "ann") => new(user, Guid.NewGuid().ToString());

    public T Get<T>()
        where T : notnull => provider.GetRequiredService<T>();

    public Task<Result<T>> SendAsync<T>(IRequest<Result<T>> request) => Get<IMediator>().Send(request, Deadline);

    public Task<Result<Admission>> AdmitAsync(
        ClientSessionKey key,
        ConnectionContext? connection = null,
        SparkRpc rpc = SparkRpc.ExecutePlan,
        RouteHints? headers = null,
        RouteHints? config = null,
        bool absorbable = false,
        string address = "10.0.0.1:5000",
        CancellationToken? cancellation = null) => Get<IMediator>().Send(new Relay.Request(
            new RouteRequest
            {
                Key = key,
                Rpc = rpc,
                Headers = headers ?? RouteHints.None,
                Config = config ?? RouteHints.None,
                IsAbsorbableConfig = absorbable,
                Caller = new Caller(key.UserId, address, "test"),
            },
            connection ?? new ConnectionContext()), cancellation ?? Deadline);

    /// <summary>A call that must be forwarded.</summary>
    public async Task<LiveBinding> ForwardAsync(ClientSessionKey key, ConnectionContext? connection = null, RouteHints? headers = null) =>
        Assert.IsType<Admission.Forward>((await AdmitAsync(key, connection, headers: headers)).Value).Binding;

    public async Task<GatewayError> RefusedAsync(ClientSessionKey key, SparkRpc rpc = SparkRpc.ExecutePlan, RouteHints? headers = null) =>
        Assert.IsType<GatewayError>((await AdmitAsync(key, rpc: rpc, headers: headers)).Error);

    public async Task<Session> AttachAsync(string name = "app", string space = "ns", string address = "10.0.0.9:15002")
    {
        var synced = await SendAsync(new Sync.Request([new AttachedDriver(new SessionName(space, name), address, null)]));
        return synced.Value.Single();
    }

    public Session SessionOf(ClientSessionKey key) => Store.Sessions.Single(session => session.Id == Store.BindingOf(key)!.SessionId);

    /// <summary>Steps time until the task is done, for waits whose timers come one after the other.</summary>
    public async Task<T> StepUntilAsync<T>(Task<T> task, TimeSpan step)
    {
        while (!task.IsCompleted)
        {
            Deadline.ThrowIfCancellationRequested();
            Time.Advance(step);
            await Task.Yield();
        }

        return await task;
    }

    /// <summary>Steps time once for each look of what waits that long between two looks: it is never ahead of other work.</summary>
    public async Task<T> PollUntilAsync<T>(Task<T> task, TimeSpan poll)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(Deadline);
        while (true)
        {
            var look = Time.TimerAsync(poll, over.Token);
            if (await Task.WhenAny(task, look) == task)
            {
                await over.CancelAsync();
                return await task;
            }

            await look;
            Time.Advance(poll);
        }
    }

    /// <summary>For what background work does.</summary>
    public async Task UntilAsync(Func<bool> holds)
    {
        while (!holds())
        {
            Deadline.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Get<TrackedTasks>().StopAsync();
        if (!ExpectsErrors) Assert.Empty(Logs.Errors);
        await provider.DisposeAsync();
        deadline.Dispose();
    }
}
