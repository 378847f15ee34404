using SparkGateway.Domain.Sessions;
using SparkGateway.Infrastructure.Attached;
using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms;

namespace SparkGateway.Infrastructure.Tests.Platforms;

public sealed class DriverTokensTests : IDisposable
{
    private static readonly SessionName Name = new("team", "mine");

    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-tokens-").FullName;
    private readonly GatewayOptions options = new();
    private readonly LogLines log = new();
    private readonly AttachedSessions attached;

    public DriverTokensTests()
    {
        options.StateDir = Path.Combine(folder, "state");
        attached = new AttachedSessions(log.For<AttachedSessions>());
    }

    private string KeyFile => Path.Combine(options.StateDir, "driver-token.key");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void ForOnDemand_KnownKey_IsTheDocumentedHmac()
    {
        options.DriverTokenKeyFile = Secret("key", Convert.ToBase64String(new byte[32]));

        // printf %s ID | openssl dgst -sha256 -mac HMAC -macopt hexkey:00..00 -binary | basenc --base64url, without padding
        Assert.Equal("V5JsLLXZju_5r0G5fGFY1cEOOZotnQrN3pdI82XdW1Q", Tokens().ForOnDemand(Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e")));
    }

    [Fact]
    public void ForOnDemand_NoKeyYet_MakesOneThatAllReplicasShare()
    {
        var id = Guid.NewGuid();

        var token = Tokens().ForOnDemand(id);

        Assert.Equal(token, Tokens().ForOnDemand(id));
        Assert.NotEqual(token, Tokens().ForOnDemand(Guid.NewGuid()));
        Assert.Equal(43, token!.Length);
        Assert.False(OwnerOnly.OthersMayRead(KeyFile));
        Assert.Single(Directory.GetFiles(options.StateDir));
    }

    [Fact]
    public async Task ForOnDemand_ManyStartAtOnce_AgreeOnOneKey()
    {
        using var together = new Barrier(4);
        var id = Guid.NewGuid();
        var all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Factory.StartNew(
            () =>
            {
                together.SignalAndWait();
                return Tokens().ForOnDemand(id);
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)));

        Assert.Single(all.Distinct());
        Assert.Single(Directory.GetFiles(options.StateDir));
    }

    [Theory]
    [InlineData("c2hvcnQ=", "at least 32 random bytes")]
    [InlineData("!!!!", "at least 32 random bytes")]
    [InlineData("", "one line")]
    public void Verify_BadKeyFile_SaysWhatToWrite(string content, string part)
    {
        options.DriverTokenKeyFile = Secret("key", content);

        var error = Tokens().Verify();

        Assert.Contains(part, error?.Text, StringComparison.Ordinal);
        Assert.Contains("base64`", error!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Verify_ConfiguredFileMissing_IsNotMade()
    {
        options.DriverTokenKeyFile = Path.Combine(folder, "absent");

        Assert.Contains("cannot be read", Tokens().Verify()?.Text, StringComparison.Ordinal);
        Assert.False(File.Exists(options.DriverTokenKeyFile));
    }

    [Fact]
    public void Verify_StateFolderCannotBeMade_IsAnError()
    {
        options.StateDir = Path.Combine(Secret("file", "x"), "state");

        Assert.Contains("cannot be made", Tokens().Verify()?.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Sail_HasNoToken_AndNeedsNoKey()
    {
        options.Local.Engine = "sail";

        Assert.Null(Tokens().Verify());
        Assert.Null(Tokens().ForOnDemand(Guid.NewGuid()));
        Assert.False(File.Exists(KeyFile));
    }

    [Fact]
    public void ForAttached_File_IsReadAgainWhenItChanges()
    {
        var file = Secret("token", "first\n");
        Attach(file);
        var tokens = Tokens();
        Assert.Equal("first", tokens.ForAttached(Name));

        File.WriteAllText(file, "second\n");

        Assert.Equal("second", tokens.ForAttached(Name));
        Assert.Null(tokens.ForAttached(new SessionName("team", "other")));
        Assert.DoesNotContain("can be read by every user", log.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead, false)]
    [InlineData(UnixFileMode.OtherRead, true)]
    public void ForAttached_FileThatOthersRead_IsWarnedOfUnlessItIsItsGroupAlone(UnixFileMode mode, bool isWarned)
    {
        var file = Secret("token", "first\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | mode);
        Attach(file);

        Assert.Equal("first", Tokens().ForAttached(Name));

        Assert.Equal(isWarned, log.Text.Contains("can be read by every user", StringComparison.Ordinal));
    }

    [Fact]
    public void ForAttached_NoFile_IsNull()
    {
        Attach("");

        Assert.Null(Tokens().ForAttached(Name));
    }

    [Fact]
    public void ForAttached_UnreadableFile_GivesNoPlaceToTheClientsOwn()
    {
        Attach(Path.Combine(folder, "absent"));

        Assert.Equal("", Tokens().ForAttached(Name));
        Assert.Contains("team/mine", log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void ForAttached_WorldReadable_WarnsOnce()
    {
        var file = Secret("token", "text");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        Attach(file);
        var tokens = Tokens();

        tokens.ForAttached(Name);
        tokens.ForAttached(Name);

        Assert.Single(log.Text.Split('\n'), line => line.Contains("chmod o-rwx", StringComparison.Ordinal));
    }

    private DriverTokens Tokens() => new(options, attached, log.For<DriverTokens>());

    private void Attach(string tokenFile) => attached.Update([new AttachedOptions { Name = Name.Name, Namespace = Name.Namespace, Address = "127.0.0.1:15002", TokenFile = tokenFile }]);

    private string Secret(string name, string content)
    {
        var path = Path.Combine(folder, name);
        using var file = OwnerOnly.Open(path, FileMode.Create);
        file.Write(System.Text.Encoding.UTF8.GetBytes(content));
        return path;
    }
}
