using System.Globalization;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing;

namespace SparkGateway.EndToEnd.Tests.LifeCycle;

/// <summary>Drivers as child processes of their gateway, which end with it.</summary>
public sealed class LocalLife : LifePlatform
{
    internal override AfterRestart AfterRestart { get; } =
        new("the gateway process that ran its driver is gone. Its driver and all that was in it are gone", _ => null, ["open", "bind", "ready", "end lost"]);

    internal override Task<GatewaySetup> SetupAsync(string engine, params string[] settings) =>
        Task.FromResult(new GatewaySetup { StartsDrivers = true, Engine = engine, Settings = settings });

    internal override Task<string?> DriverAsync(GatewayProcess gateway, ShownSession session)
    {
        var engines = ProcessesOf(gateway, session).Where(pid => Processes.Name(pid) is "java" or "sail").ToList();
        return Task.FromResult(engines.Count == 0 ? null : Assert.Single(engines).ToString(CultureInfo.InvariantCulture));
    }

    internal override async Task KillDriverAsync(GatewayProcess gateway, ShownSession session) =>
        Processes.Kill(int.Parse((await DriverAsync(gateway, session))!, CultureInfo.InvariantCulture));

    internal override async Task<bool> IsClearedAsync(GatewayProcess gateway, ShownSession session) =>
        ProcessesOf(gateway, session).Count == 0 && !Directory.Exists(FolderOf(gateway, session))
        && (session.Address is not { } address || !await Ports.IsOpenAsync(int.Parse(address.Split(':')[^1], CultureInfo.InvariantCulture)));

    /// <summary>The driver, the shell above it and what it has started: all of them know its folder.</summary>
    private static IReadOnlyList<int> ProcessesOf(GatewayProcess gateway, ShownSession session) =>
        Processes.Naming(FolderOf(gateway, session), but: gateway.Process.Pid);

    private static string FolderOf(GatewayProcess gateway, ShownSession session) => Path.Combine(gateway.StateDir, "drivers", session.SessionName);
}
