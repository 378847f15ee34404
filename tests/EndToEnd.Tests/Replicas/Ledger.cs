using System.Collections.Concurrent;
using Npgsql;
using SparkGateway.Domain.Sessions;
using SparkGateway.EndToEnd.Tests.Support;
using SparkGateway.Testing.Http2;

namespace SparkGateway.EndToEnd.Tests.Replicas;

internal sealed record SessionLine(Guid Id, string Name, string State, string? RuntimeId, string? EndReason, string? EndDetail, Guid? Owner, bool WasReady)
{
    public bool IsLive => State is "starting" or "ready" or "ending";
}

internal sealed record BindingLine(string Key, Guid Session, string State, string User, string Prefix);

internal sealed record AuditLine(string Action, Guid Session, string? User, string? Prefix, string? Reason);

/// <summary>
/// What must be true of replicas whatever has happened to them, read from their database, from the process table and from the answers
/// that clients had.
/// </summary>
internal sealed class Ledger(string connectionString, Func<IEnumerable<string>> stateFolders)
{
    private static readonly TimeSpan Settled = TimeSpan.FromMinutes(1);

    private readonly ConcurrentBag<(ClientSessionKey Client, string Driver)> answers = [];
    private readonly ConcurrentDictionary<ClientSessionKey, bool> clients = new();

    /// <summary>A client session that opened, or joined, a session.</summary>
    public void Knows(ClientSessionKey client) => clients[client] = true;

    /// <summary>What a driver says of itself in an answer: its process id, or its session's name.</summary>
    public void Answered(ClientSessionKey client, string driver)
    {
        Knows(client);
        answers.Add((client, driver));
    }

    public Task<IReadOnlyList<SessionLine>> SessionsAsync() => ReadAsync(
        "SELECT id, name, state, runtime_id, end_reason, end_detail, owner_replica, ready_at IS NOT NULL FROM sessions WHERE kind = 'on_demand' ORDER BY opened_at, id",
        row => new SessionLine(row.GetGuid(0), row.GetString(1), row.GetString(2), Text(row, 3), Text(row, 4), Text(row, 5), row.IsDBNull(6) ? null : row.GetGuid(6), row.GetBoolean(7)));

    /// <summary>The session of that client session.</summary>
    public async Task<SessionLine> SessionOfAsync(ClientSessionKey client)
    {
        var binding = Assert.Single(await BindingsAsync(), line => line.Key == Convert.ToHexString(client.Hash()));
        return Assert.Single(await SessionsAsync(), line => line.Id == binding.Session);
    }

    /// <summary>Waits until that client's session has ended, and gives its row.</summary>
    public async Task<SessionLine> EndedAsync(ClientSessionKey client)
    {
        SessionLine? line = null;
        await Deadlines.UntilAsync($"the end of the session of {client}", async () => (line = await SessionOfAsync(client)).State == "ended", Settled);
        return line!;
    }

    /// <summary>One number, or one time difference in seconds, of the database's own.</summary>
    public async Task<double> NumberAsync(string sql) => (await ReadAsync(sql, row => Convert.ToDouble(row.GetValue(0), System.Globalization.CultureInfo.InvariantCulture)))[0];

    /// <summary>
    /// Waits until each live row has its driver and each driver its live row, no session being on its way; then all the rest must hold at once.
    /// </summary>
    public async Task SettledAsync()
    {
        IReadOnlyList<SessionLine> sessions = [];
        ILookup<string, int> drivers = Drivers();
        string Shown() => $"rows [{string.Join(", ", sessions.Where(line => line.IsLive).Select(line => $"{line.Name} {line.State}"))}], drivers [{string.Join(", ", drivers.Select(one => $"{one.Key} {string.Join('+', one)}"))}]";
        try
        {
            await Deadlines.UntilAsync("one live row for each driver, one driver for each live row", async () =>
            {
                sessions = await SessionsAsync();
                drivers = Drivers();
                return sessions.Where(line => line.IsLive).All(line => line.State == "ready" && drivers[line.Name].Count() == 1)
                    && drivers.Count == sessions.Count(line => line.IsLive);
            }, Settled);
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message} {Shown()}", late);
        }

        // A local driver's runtime id is its process id and start time.
        foreach (var line in sessions.Where(line => line.IsLive)) Assert.StartsWith($"{drivers[line.Name].Single()}-", line.RuntimeId, StringComparison.Ordinal);
        await CheckAsync(sessions);
    }

    /// <summary>Rows, audit and answers agree as they are now, wherever the drivers run.</summary>
    public async Task AgreesAsync() => await CheckAsync(await SessionsAsync());

    /// <summary>After the end of all replicas: no driver and no process of one.</summary>
    public Task ClearedAsync() => Deadlines.UntilAsync("the end of all drivers", () => stateFolders().All(folder => Processes.Naming(folder, but: 0).Count == 0), Settled);

    /// <summary>The driver processes of all replicas, by the session's name: its work folder is in their environment.</summary>
    public ILookup<string, int> Drivers() => stateFolders()
        .SelectMany(folder => Processes.With($"TMPDIR={folder}/drivers/", "java", "sail"))
        .ToLookup(found => found.Value.Split('/')[0], found => found.Pid);

    private async Task CheckAsync(IReadOnlyList<SessionLine> sessions)
    {
        var bindings = await BindingsAsync();
        var audit = await AuditAsync();

        // One session for each client session that asked for one: none without a client, none twice.
        Assert.Equal(clients.Keys.Select(client => Convert.ToHexString(client.Hash())).Order(), bindings.Select(line => line.Key).Order());
        Assert.Equal(sessions.Select(line => line.Id).Order(), bindings.Select(line => line.Session).Distinct().Order());

        var sessionOf = bindings.ToDictionary(line => line.Key, line => sessions.Single(session => session.Id == line.Session));
        foreach (var (client, driver) in answers)
        {
            var own = sessionOf[Convert.ToHexString(client.Hash())];
            Assert.True(own.Name == driver || own.RuntimeId?.StartsWith($"{driver}-", StringComparison.Ordinal) == true, $"{client} of {own} was answered by driver {driver}.");
        }

        foreach (var session in sessions)
        {
            var rows = audit.Where(line => line.Session == session.Id).ToLookup(line => line.Action);
            var told = $"{session}, audited {string.Join(", ", rows.Select(one => $"{one.Key} {one.Count()}"))}";
            Assert.True(rows["open"].Count() == 1, told);
            Assert.True(rows["ready"].Count() == (session.WasReady ? 1 : 0), told);
            Assert.True(rows["ending"].Count() <= 1, told);
            Assert.True(rows["end"].Count() == (session.State == "ended" ? 1 : 0), told);
            Assert.All(rows["end"], line => Assert.Equal(session.EndReason, line.Reason));
            var uses = bindings.Where(line => line.Session == session.Id).ToList();
            Assert.Equal(uses.Select(line => $"{line.User} {line.Prefix}").Order(), rows["bind"].Select(line => $"{line.User} {line.Prefix}").Order());
            Assert.Equal(uses.Where(line => line.State == "released").Select(line => $"{line.User} {line.Prefix}").Order(), rows["release"].Select(line => $"{line.User} {line.Prefix}").Order());
        }
    }

    private Task<IReadOnlyList<BindingLine>> BindingsAsync() => ReadAsync(
        "SELECT key, session_row_id, state, claimed_user, client_session_prefix FROM bindings",
        row => new BindingLine(Convert.ToHexString(row.GetFieldValue<byte[]>(0)), row.GetGuid(1), row.GetString(2), row.GetString(3), row.GetString(4)));

    private Task<IReadOnlyList<AuditLine>> AuditAsync() => ReadAsync(
        "SELECT action, session_row_id, claimed_user, client_session_prefix, reason FROM audit_log WHERE session_row_id IS NOT NULL",
        row => new AuditLine(row.GetString(0), row.GetGuid(1), Text(row, 2), Text(row, 3), Text(row, 4)));

    private async Task<IReadOnlyList<T>> ReadAsync<T>(string sql, Func<NpgsqlDataReader, T> line)
    {
        // Unpooled: the server may be stopped and started between two looks.
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<T>();
        while (await reader.ReadAsync()) lines.Add(line(reader));
        return lines;
    }

    private static string? Text(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}
