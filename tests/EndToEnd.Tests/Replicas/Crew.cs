using SparkGateway.Domain.Sessions;
using SparkGateway.EndToEnd.Tests.Support;

namespace SparkGateway.EndToEnd.Tests.Replicas;

/// <summary>
/// Stock PySpark clients, threads with a channel each: two users with a session each, and each session used through all three replicas.
/// Whoever opened a session opens a new one when it has ended; the others only say what they read. Before each query a client asks its
/// driver whose it is, and the query needs the client session's own view.
/// </summary>
internal sealed class Crew : IAsyncDisposable
{
    public const int Users = 2;

    private const string Program =
        """
        import os, threading, time
        from pyspark.sql.connect.session import SparkSession
        from pyspark.sql.connect.client import DefaultChannelBuilder

        names, opened, lock = [None] * len(PORTS), [threading.Event() for _ in PORTS], threading.Lock()

        def say(*words):
            with lock:
                print(*words, flush=True)

        def create(user, port, more=""):
            url = "sc://127.0.0.1:%d/;user_id=user-%d%s" % (port, user, more)
            spark = SparkSession.builder.channelBuilder(DefaultChannelBuilder(url, [("grpc.use_local_subchannel_pool", 1)])).create()
            spark.range(0, 300, 1, 3).createOrReplaceTempView("mine")
            return spark

        def query(user, replica, spark):
            name = spark.conf.get("spark.app.name")
            rows = spark.sql("SELECT id, if(id % 100 = 0, reflect('java.lang.Thread', 'sleep', 700L), '') s FROM mine").toLocalIterator()
            total = sum(row.id for row in rows)
            say("answer", user, replica, spark.session_id, name, "right" if total == 44_850 else "wrong")
            time.sleep(0.5)
            return name

        def why(spark, error):
            # A driver that is told to stop fails its queries before it has gone.
            while "SESSION_CHANGED" not in str(error):
                say("saw", " ".join(str(error).split())[:300])
                try:
                    while True:
                        spark.conf.get("spark.app.name")
                        time.sleep(0.1)
                except Exception as next:
                    error = next
            return " ".join(str(error).split())

        def work(user, replica, port):
            try:
                if user == replica:
                    spark = create(user, port)
                    names[user] = query(user, replica, spark)
                    opened[user].set()
                else:
                    opened[user].wait()
                    spark = create(user, port, ";x-spark-session-id=%s;x-spark-namespace=sjns-local-dev" % names[user])
                while not os.path.exists(STOP):
                    query(user, replica, spark)
            except Exception as error:
                say("told", user, replica, why(spark, error))
                if user == replica:
                    query(user, replica, create(user, port))
                    say("again", user)

        threads = [threading.Thread(target=work, args=(user, replica, port)) for user in range(len(PORTS) - 1) for replica, port in enumerate(PORTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("end")
        """;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(6);

    private readonly Marker marker = new();
    private readonly ReplicaScene scene;
    private readonly OwnedProcess client;
    private int read;

    private Crew(ReplicaScene scene)
    {
        this.scene = scene;
        var ports = string.Join(", ", Enumerable.Range(0, ReplicaScene.Count).Select(scene.PortOf));
        client = PythonClient.Start($"PORTS, STOP = [{ports}], '{marker.Path("stop")}'\n{Program}", "");
    }

    /// <summary>Every one of them has had an answer, and is in the middle of its next query.</summary>
    public static async Task<Crew> StartAsync(ReplicaScene scene)
    {
        var crew = new Crew(scene);
        for (var user = 0; user < Users; user++)
            for (var replica = 0; replica < ReplicaScene.Count; replica++) await crew.AnswersAsync(user, replica, 1);
        foreach (var replica in scene.Replicas)
            await SparkGateway.Testing.Http2.Deadlines.UntilAsync("open queries", async () => await replica.MetricAsync("spark_connect_open_calls") > 0, Limit);
        return crew;
    }

    public ClientSessionKey KeyOf(int user)
    {
        var words = client.Lines.First(line => line.StartsWith($"answer {user} {user} ", StringComparison.Ordinal)).Split(' ');
        return new ClientSessionKey($"user-{user}", words[3]);
    }

    /// <summary>So many more right answers than there are now.</summary>
    public async Task AnswersAsync(int user, int replica, int more)
    {
        var begin = $"answer {user} {replica} ";
        var wanted = client.Lines.Count(line => line.StartsWith(begin, StringComparison.Ordinal)) + more;
        await client.LineAsync($"{more} more answers to user {user} through replica {replica}", _ => client.Lines.Count(line => line.StartsWith(begin, StringComparison.Ordinal)) >= wanted, Limit);
    }

    /// <summary>What that client read when its session had ended.</summary>
    public Task<string> ToldAsync(int user, int replica) =>
        client.LineAsync($"what user {user} read through replica {replica}", line => line.StartsWith($"told {user} {replica} ", StringComparison.Ordinal), Limit);

    public Task AgainAsync(int user) => client.LineAsync($"a new session of user {user}", line => line == $"again {user}", Limit);

    /// <summary>Nobody of that user read anything but right answers.</summary>
    public void Untouched(int user) => Assert.DoesNotContain(client.Lines, line => line.StartsWith($"told {user} ", StringComparison.Ordinal));

    /// <summary>Hands the answers so far to the ledger.</summary>
    public void Tell()
    {
        foreach (var line in client.Lines.Skip(read))
        {
            read++;
            if (line.Split(' ') is not ["answer", var user, _, var id, var name, var right]) continue;
            Assert.Equal("right", right);
            scene.Ledger.Answered(new ClientSessionKey($"user-{user}", id), name);
        }
    }

    public async Task EndAsync()
    {
        marker.Set("stop");
        Assert.EndsWith("end", await PythonClient.GoodEndAsync(client, Limit), StringComparison.Ordinal);
        Tell();
    }

    public async ValueTask DisposeAsync()
    {
        await client.DisposeAsync();
        marker.Dispose();
    }
}
