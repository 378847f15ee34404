using SparkGateway.Infrastructure.Options;
using SparkGateway.Infrastructure.Platforms;
using SparkGateway.Infrastructure.Security;
using SparkGateway.Infrastructure.Tests.Platforms;

namespace SparkGateway.Infrastructure.Tests.Security;

public sealed class AdminTokensTests : IDisposable
{
    private const string Jane = "jane-0123456789abcdef";
    private const string Joe = "joe-0123456789abcdefg";

    private readonly string folder = Directory.CreateTempSubdirectory("spark-gateway-admin-").FullName;
    private readonly GatewayOptions options = new();
    private readonly LogLines log = new();

    public AdminTokensTests() => options.StateDir = Path.Combine(folder, "state");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Prepare_FirstStart_MakesATokenForItsUserAlone()
    {
        var tokens = Tokens();

        Assert.Null(tokens.Prepare());

        var file = AdminTokens.FileOf(options);
        Assert.Equal(Path.Combine(options.StateDir, "admin.tokens"), file);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, new FileInfo(file).UnixFileMode);
        var token = AdminTokens.FirstOf(file).Value;
        Assert.Equal(64, token.Length);
        Assert.Equal("admin", tokens.NameOf($"Bearer {token}"));
        Assert.Single(Directory.GetFiles(options.StateDir));
    }

    [Fact]
    public void Prepare_SecondStart_KeepsTheToken()
    {
        Assert.Null(Tokens().Prepare());
        var token = AdminTokens.FirstOf(AdminTokens.FileOf(options)).Value;

        var again = Tokens();

        Assert.Null(again.Prepare());
        Assert.Equal("admin", again.NameOf($"bearer {token}"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData($"Basic {Jane}")]
    [InlineData(Jane)]
    [InlineData($"Bearer {Jane}x")]
    [InlineData("Bearer jane-0123456789abcde")]
    [InlineData($"Bearer jane: {Jane}")]
    public void NameOf_NoTokenOfTheFile_IsNobody(string? authorization)
    {
        Write($"jane: {Jane}\n");
        var tokens = Tokens();
        Assert.Null(tokens.Prepare());

        Assert.Null(tokens.NameOf(authorization));
        Assert.Equal("jane", tokens.NameOf($"Bearer {Jane}"));
    }

    [Fact]
    public void NameOf_ChangedFile_CountsAtOnce()
    {
        Write($"jane: {Jane}\njoe: {Joe}\n");
        var tokens = Tokens();
        Assert.Null(tokens.Prepare());

        Write($"# jane left\njoe: {Joe}\n");

        Assert.Null(tokens.NameOf($"Bearer {Jane}"));
        Assert.Equal("joe", tokens.NameOf($"Bearer {Joe}"));
    }

    [Fact]
    public void NameOf_FileThatBecameInvalid_KeepsTheTokensBefore()
    {
        Write($"jane: {Jane}\n");
        var tokens = Tokens();
        Assert.Null(tokens.Prepare());

        Write("nonsense\n");

        Assert.Equal("jane", tokens.NameOf($"Bearer {Jane}"));
        Assert.Equal("jane", tokens.NameOf($"Bearer {Jane}"));
        Assert.Single(log.Text.Split('\n'), line => line.Contains("admin.token_file", StringComparison.Ordinal) && !line.Contains(Jane, StringComparison.Ordinal));
    }

    [Fact]
    public void Prepare_FileForEverybody_IsRefused()
    {
        Write($"jane: {Jane}\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(options.Admin.TokenFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);

        var error = Tokens().Prepare();

        Assert.Contains("admin.token_file", error!.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Jane, error.Text, StringComparison.Ordinal);
        Assert.Contains("chmod", AdminTokens.FirstOf(options.Admin.TokenFile).Error!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void FirstOf_FileWithComments_IsTheFirstToken()
    {
        Write($"# people\n\n jane :  {Jane} \njoe: {Joe}\n");

        Assert.Equal(Jane, AdminTokens.FirstOf(options.Admin.TokenFile).Value);
    }

    private AdminTokens Tokens() => new(options, log.For<AdminTokens>());

    private void Write(string content)
    {
        options.Admin.TokenFile = Path.Combine(folder, "tokens");
        using var file = OwnerOnly.Open(options.Admin.TokenFile, FileMode.Create);
        file.Write(System.Text.Encoding.UTF8.GetBytes(content));
    }
}
